// What waits for the owner: look, compare, enter the password, read the number, or refuse.

import { api, openEnvelope } from "./device.js";
import { now } from "./proof.js";
import { announce, clock, one, rows, say, screen, show, shown, when } from "./screens.js";

let current = null; // the request on the screen
let ticking = 0;

const about = (item) => ({
  partner: item.partner.name,
  domain: item.partner.domain,
  purpose: say(`purpose.${item.purpose}`),
  at: clock(item.created_at),
  region: item.region ? say("region", { region: item.region }) : "",
  match: item.match_number,
  sees: say("sees_match", { match: item.match_number }),
});

// One request is shown at once; several are a list, each with its own number.
export async function waiting(notice = null) {
  const { items } = await api("GET", "/app/v1/verifications");
  if (items.length === 1 && !notice) return request(items[0]);
  show("waiting", {}, notice);
  rows("waiting", items, about, (row, item) => one("button", row).addEventListener("click", () => request(item)));
}

export function request(item = current) {
  current = item;
  show("request", about(item));
}

export const doubt = () => show("doubt", about(current));
export const askPassword = () => show("password", about(current));

export async function unlock(password) {
  const { id } = current;
  const { envelope } = await api("POST", `/app/v1/verifications/${id}/unlock`, { password });
  await showNumber(envelope, id);
}

// The same envelope comes by data push; it helps when the answer to the unlock was lost.
export async function numberArrived({ envelope, verification }) {
  if (verification === current?.id && shown() === "password") await showNumber(envelope, verification);
}

async function showNumber(envelope, id) {
  const claims = await openEnvelope(envelope, id);
  show("number", { ...about(current), head: claims.code.slice(0, 3), tail: claims.code.slice(3), copied: "" });
  clearInterval(ticking);
  ticking = setInterval(() => count(claims.exp), 250);
  count(claims.exp);
}

function count(until) {
  const left = Math.max(0, Math.ceil(until - now()));
  const place = one("[data-number-left]", screen("number"));
  place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  if (left && shown() === "number") return;
  clearInterval(ticking);
  const notice = left ? null : { kind: "warn", text: say("number_over") };
  if (shown() === "number") show("waiting", {}, notice);
  wipe();
}

function wipe() {
  for (const slot of ["head", "tail"]) one(`[data-slot="${slot}"]`, screen("number")).textContent = "";
}

export async function copyNumber() {
  const digits = one("[data-secret]", screen("number")).textContent.trim();
  await navigator.clipboard.writeText(digits);
  announce(say("copied"));
}

export async function deny(reason, item = current) {
  current = item;
  const answer = await api("POST", `/app/v1/verifications/${item.id}/deny`, { reason });
  if (reason !== "not_me") return show("stopped", about(item));
  show("refused", { ...about(item), slowed: say("slowed", { at: when(answer.slowed_until) }) });
  one("[data-offer]").hidden = !answer.offer_stop_all;
}

export const denied = () => current.partner.id;
