// The partners as the app finds them: by a part of their name or domain, or by id.

import { api } from "./device.js";

const known = new Map(); // by id

export async function find(words) {
  const { items } = await api("GET", `/app/v1/partners?q=${encodeURIComponent(words)}`);
  for (const partner of items) known.set(partner.id, partner);
  return items;
}

// An id that nobody has any more is shown as it is.
export async function named(id) {
  if (!known.has(id)) await find(id);
  return known.get(id) ?? { id, name: id, domain: "" };
}

// Those that asked lately, each once, newest first.
export async function recent() {
  const { items, not_opened: unopened } = await api("GET", "/app/v1/history");
  const ids = [...unopened, ...items].map(({ partner }) => partner.id);
  const found = await Promise.all([...new Set(ids)].slice(0, 5).map(named));
  return found.filter(({ domain }) => domain);
}

export const about = ({ name, domain }) => ({ partner: name, domain });
