// My page's extras; every page works without this file. It moves the focus to what was just done, tells two minutes before
// the session ends, and leaves the page when it has, so that nobody reads on over a shoulder.

document.querySelector("[data-focus]")?.focus();

const ending = document.querySelector("[data-ending]");
const words = ending?.querySelector("[data-words]");
const form = ending?.querySelector("[data-stay]");
let timer = 0;
let over = 0; // by performance.now(), in ms: the wall clock of this computer may be wrong

function start(seconds) {
  over = performance.now() + seconds * 1000;
  ending.hidden = true;
}

function tick() {
  clearTimeout(timer);
  const left = (over - performance.now()) / 1000;
  if (left <= 0) return location.replace(ending.dataset.over);
  if (left <= Number(ending.dataset.warned) && ending.hidden) {
    ending.hidden = false; // first: what is hidden is not spoken
    words.textContent = form.hidden ? words.dataset.last : words.dataset.more;
  }
  timer = setTimeout(tick, 1000);
}

// To ask is to use: the server says how long it lasts now. When that is no longer than before, the hour is nearly over.
async function stay(event) {
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
  if (!answer.ok) return location.replace(ending.dataset.over);
  const { seconds_left: seconds } = await answer.json();
  form.hidden = seconds <= Number(ending.dataset.warned);
  start(seconds);
}

if (ending) {
  start(Number(ending.dataset.seconds));
  form.addEventListener("submit", stay);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  tick();
}
