// The waiting room's page: asks again by itself and says what changed, without a reload, until it is our turn.
// Without this file the page reloads (noscript), and the button does the same by hand.

const status = document.querySelector("[data-waiting]");
const pause = Number(status.dataset.waiting) * 1000;

async function ask() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.headers.get("Content-Type")?.startsWith("application/json")) return location.replace(location.pathname);
    const { inside, words } = await answer.json();
    if (inside) return location.replace(location.pathname);
    const said = status.querySelector("strong");
    if (said.textContent !== words) said.textContent = words;
  } catch {
    // Offline: the place is kept for five minutes.
  }
  setTimeout(ask, pause);
}

setTimeout(ask, pause);
