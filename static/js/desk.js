// The desk: the time that is left in the header, a revealed field that hides itself, the focus on what must be put right.
const left = document.querySelector("[data-left]");
if (left && Number(left.dataset.left) > 0) {
  const clock = left.querySelector("[data-clock]");
  const end = performance.now() + Number(left.dataset.left) * 1000;
  const tick = () => {
    const rest = Math.max(0, Math.round((end - performance.now()) / 1000));
    clock.textContent = `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, "0")}`;
    if (rest <= 120) left.classList.add("is-short");
    if (rest === 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
}

const value = document.querySelector("[data-hide]");
if (value) {
  const hide = () => { value.textContent = value.dataset.hidden; };
  setTimeout(hide, Number(value.dataset.hide) * 1000);
  addEventListener("pagehide", hide); // going back shows no page from memory with the value in it
}

document.querySelector("[data-errors]")?.focus();
