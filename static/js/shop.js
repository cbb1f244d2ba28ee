// The bookshop's own script: a popup by Ansim's helper, or the same tab; and the webhook that is still on its way.

const one = (selector) => document.querySelector(selector);
const TRIES = 8;

// What our server answers when a verification is started.
async function start(form, button) {
  const body = new URLSearchParams({ [button.name]: button.value });
  const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).window_url;
}

function arrived(end) {
  if (end.closed) {
    one("[data-status]").textContent = one("[data-closed]").innerHTML;
    return;
  }
  location.assign(`/shop/back?${new URLSearchParams(end)}`);
}

function wire(form) {
  form.addEventListener("submit", (event) => {
    if (!window.ansim || one("[name=way]:checked").value === "same") return;
    event.preventDefault();
    one("[data-status]").textContent = "";
    window.ansim.verify(() => start(form, event.submitter), arrived).catch(() => {
      one("[data-status]").textContent = one("[data-trouble]").innerHTML;
    });
  });
}

// A webhook may be a moment later than the browser.
async function waitForWebhooks(tries) {
  const section = one("[data-webhooks]");
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const later = fresh.querySelector("[data-webhooks]");
  if (later.dataset.webhooks !== section.dataset.webhooks) section.replaceWith(later);
  if (tries > 1) setTimeout(waitForWebhooks, 1000, tries - 1);
}

for (const form of document.querySelectorAll("[data-verify]")) wire(form);
if (one("[data-way]")) one("[data-way]").hidden = false;
if (one("[data-webhooks]")) setTimeout(waitForWebhooks, 1000, TRIES);
