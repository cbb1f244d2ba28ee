// What the owner decides: nobody at all, not these sites, this site once by text message; and what waits at the desk.

import { api } from "./device.js";
import { now } from "./proof.js";
import { about, find, named, recent } from "./partners.js";
import { one, rows, say, screen, show, when } from "./screens.js";

let finding = "block"; // or "release": what the site is looked for
let chosen = null; // the partner on the screen

const read = () => api("GET", "/app/v1/controls");
const told = (key) => ({ kind: "ok", text: say(key) });

async function set(change, password) {
  const standing = await read();
  await api("PUT", "/app/v1/controls", { ...standing, ...change(standing), ...(password ? { password } : {}) });
}

// --- Nobody at all ---

export async function stopAll(notice = null) {
  const { stop_all: on } = await read();
  show("stopall", { stop_all: say(on ? "on" : "off") }, notice);
  one("form", screen("stopall")).hidden = !on;
  one("[data-stop]", screen("stopall")).hidden = on;
}

export async function setStopAll(on, password) {
  await set(() => ({ stop_all: on }), password);
  await stopAll(told(on ? "stopped_all" : "stops_none"));
}

// --- Not these sites ---

export async function blocked(notice = null) {
  const { blocked_partners: ids } = await read();
  const partners = await Promise.all(ids.map(named));
  show("blocked", {}, notice);
  rows("blocked", partners, about, (row, partner) => one("button", row).addEventListener("click", () => unblocking(partner)));
}

function unblocking(partner) {
  chosen = partner;
  show("unblock", about(partner));
}

export async function block(id) {
  await set(({ blocked_partners: ids }) => ({ blocked_partners: [...new Set([...ids, id])] }));
  await blocked(told("blocked"));
}

export async function unblock(password) {
  await set(({ blocked_partners: ids }) => ({ blocked_partners: ids.filter((id) => id !== chosen.id) }), password);
  await blocked(told("unblocked"));
}

// --- This site, once, by text message ---

const left = (until) => say("minutes_left", { minutes: Math.max(1, Math.ceil((Date.parse(until) / 1000 - now()) / 60)) });

export async function releases(notice = null) {
  const { items } = await api("GET", "/app/v1/releases");
  const partners = await Promise.all(items.map(({ partner_id: id }) => named(id)));
  const slots = (item) => ({
    ...about(partners[items.indexOf(item)]),
    state: item.used_at ? say("released_used", { at: when(item.used_at) }) : left(item.expires_at),
  });
  show("releases", {}, notice);
  rows("releases", items, slots, (row, { id, used_at: used }) => {
    one("button", row).hidden = Boolean(used);
    one("button", row).dataset.withdraw = id;
  });
}

export async function release(minutes, password) {
  await api("POST", "/app/v1/releases", { password, partner_id: chosen.id, minutes });
  await releases(told("released"));
}

export async function withdraw(id) {
  await api("DELETE", `/app/v1/releases/${id}`);
  await releases(told("withdrawn"));
}

// --- Looking for a site ---

export async function look(what = finding) {
  finding = what;
  show("find", { finding: say(`find.${what}`), found: say("found_recent") });
  list(await recent());
}

export async function search(words) {
  if (!words.trim()) return look();
  one('[data-slot="found"]', screen("find")).textContent = say("found_words", { words });
  list(await find(words.trim()));
}

function list(partners) {
  const slots = (partner) => ({
    ...about(partner),
    sites: partner.sites?.length ? ` · ${partner.sites.map(({ name }) => name).join(", ")}` : "",
    choose: say(`choose.${finding}`),
  });
  rows("found", partners, slots, (row, { id }) => {
    one("button", row).dataset.choose = id;
  });
}

export async function choose(id) {
  if (finding === "block") return block(id);
  chosen = await named(id);
  show("release", about(chosen));
  one("[data-agency]").hidden = !chosen.sites;
}

export const backToList = () => (finding === "block" ? blocked() : releases());

// --- What waits at the desk ---

export const waitsAtTheDesk = async () => (await api("GET", "/app/v1/pending")).items;

export async function pending() {
  const items = await waitsAtTheDesk();
  show("pending");
  rows("pending", items, ({ kind, due_at: due }) => ({ kind: say(`pending.${kind}`), at: say("pending_at", { at: when(due) }) }));
  one("[data-pending-stop]").hidden = !items.length;
}
