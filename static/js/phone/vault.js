// What this phone keeps: its two key pairs (which WebCrypto never gives out), its device id, the server's keys.
// One record a phone in IndexedDB.

import { random, sha256, toBase64url, utf8 } from "./bytes.js";

const STORE = "phones";

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function store(mode) {
  const opening = indexedDB.open("ansim", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  return database.transaction(STORE, mode).objectStore(STORE);
}

export const keep = async (id, record) => settled((await store("readwrite")).put(record, id));

// The record of this phone, or a fresh one: a push token and no registration.
export async function take(id, platform) {
  const kept = await settled((await store("readonly")).get(id));
  if (kept) return kept;
  const fresh = { push_token: newPushToken(platform), device_id: null };
  await keep(id, fresh);
  return fresh;
}

// Apple's are 64 hex digits; Google's are long and opaque.
export function newPushToken(platform) {
  if (platform !== "ios") return `${toBase64url(random(16))}:${toBase64url(random(64))}`;
  return Array.from(random(32), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function newKeys() {
  const curve = { namedCurve: "P-256" };
  return {
    signing: await crypto.subtle.generateKey({ name: "ECDSA", ...curve }, false, ["sign", "verify"]),
    sealing: await crypto.subtle.generateKey({ name: "ECDH", ...curve }, false, ["deriveBits"]),
  };
}

// Only the members RFC 7518 names for a public EC key.
export async function publicJwk(pair) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { kty, crv, x, y };
}

// RFC 7638: the required members in alphabetical order, no blanks.
export async function thumbprint({ crv, kty, x, y }) {
  return toBase64url(await sha256(utf8(JSON.stringify({ crv, kty, x, y }))));
}
