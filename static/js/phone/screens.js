// The screens stand in the page, in words of its language; here they are shown and filled.

export const settings = JSON.parse(document.querySelector("#settings").textContent);
const words = JSON.parse(document.querySelector("#words").textContent);
const locale = document.documentElement.lang;

// The word for this key with its {gaps} filled; a key without a word is shown as it is.
export function say(key, gaps = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (gap, name) => gaps[name] ?? gap);
}

const clockFace = new Intl.DateTimeFormat(locale, { timeZone: "Asia/Seoul", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayAndTime = new Intl.DateTimeFormat(locale, {
  timeZone: "Asia/Seoul", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
export const clock = (date) => clockFace.format(new Date(date));
export const when = (date) => dayAndTime.format(new Date(date));

export const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

export const screen = (name) => one(`[data-screen="${name}"]`);
export const shown = () => all("[data-screen]").find((section) => !section.hidden)?.dataset.screen;

export function fill(within, slots) {
  for (const [name, value] of Object.entries(slots)) {
    for (const place of all(`[data-slot="${name}"]`, within)) place.textContent = value ?? "";
  }
}

// Shows one screen, filled, and moves the focus to its heading. A notice stays only when it is given again.
export function show(name, slots = {}, notice = null) {
  for (const section of all("[data-screen]")) section.hidden = section.dataset.screen !== name;
  const section = screen(name);
  fill(section, slots);
  for (const form of all("form", section)) form.reset();
  tell(notice);
  const heading = one("h1", section);
  document.title = `${heading.textContent} - ${settings.title}`;
  heading.focus();
}

// {kind, text}: one thing to know, above the screen, until the next screen.
export function tell(notice) {
  const place = one("[data-notice]");
  place.hidden = !notice;
  if (!notice) return;
  place.className = `notice notice--${notice.kind}`;
  fill(place, { notice: notice.text });
  place.focus();
}

export const announce = (text) => fill(document, { said: text });

// Copies of a <template data-row="name">, filled, in place of what the list held.
export function rows(name, items, slotsOf, onRow = () => {}) {
  const list = one(`[data-list="${name}"]`);
  const pattern = one(`template[data-row="${name}"]`);
  list.replaceChildren(
    ...items.map((item) => {
      const row = pattern.content.firstElementChild.cloneNode(true);
      fill(row, slotsOf(item));
      onRow(row, item);
      return row;
    }),
  );
  list.hidden = !items.length;
  const empty = one(`[data-empty="${name}"]`);
  if (empty) empty.hidden = items.length > 0;
}

// Also for buttons that come later, in rows.
export function onPress(selector, action) {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest(selector);
    if (button) action(button);
  });
}

export function onSend(name, action) {
  one("form", screen(name)).addEventListener("submit", (event) => {
    event.preventDefault();
    action(Object.fromEntries(new FormData(event.target)));
  });
}
