// This phone as the server knows it: registered or not, its keys, its push address.

import { keep, newKeys, newPushToken, publicJwk, take, thumbprint } from "./vault.js";
import { call } from "./proof.js";
import { read } from "./number.js";
import { sawEnvelope, sawNumber, sawProof } from "./inside.js";
import { settings } from "./screens.js";

// An Android phone and an iPhone with the same number are two phones.
const id = `${settings.platform} ${settings.phone}`;
let record = null;

export async function switchOn() {
  record = await take(id, settings.platform);
}

export const registered = () => Boolean(record.device_id);
export const pushToken = () => record.push_token;

async function remember(change) {
  record = { ...record, ...change };
  await keep(id, record);
}

export const api = (method, path, content) =>
  call({ key: record.signing.privateKey, kid: record.device_id, seen: sawProof }, method, path, content);

// New keys each time: a registration never inherits another's.
export async function register(activationCode, password) {
  const keys = await newKeys();
  const signing = await publicJwk(keys.signing);
  const path = "/app/v1/devices";
  const answer = await call({ key: keys.signing.privateKey, kid: await thumbprint(signing), seen: sawProof }, "POST", path, {
    activation_code: activationCode,
    platform: settings.platform,
    ...settings.handset,
    push_token: record.push_token,
    signing_key: signing,
    sealing_key: await publicJwk(keys.sealing),
    password,
  });
  await remember({ ...keys, device_id: answer.device_id, jwks: answer.jwks.keys, masked: answer.phone });
}

export const forget = () => remember({ device_id: null, signing: null, sealing: null });

// The vendor gave the app another push address, as Apple and Google do now and then.
export async function renewPushToken() {
  const token = newPushToken(settings.platform);
  const { os_version, app_version } = settings.handset;
  await api("PUT", "/app/v1/device", { push_token: token, os_version, app_version });
  await remember({ push_token: token });
}

export const facts = async () => ({ masked: record.masked, device: record.device_id, print: await thumbprint(await publicJwk(record.signing)) });

// The server's key of this kid; an unknown kid makes the phone fetch the key set again.
async function keyOf(kid) {
  const known = () => record.jwks.find((key) => key.kid === kid);
  if (!known()) {
    const answer = await fetch("/.well-known/jwks.json", { cache: "no-store" });
    if (answer.ok) await remember({ jwks: (await answer.json()).keys });
  }
  return known();
}

export async function openEnvelope(envelope, verification) {
  sawEnvelope(envelope);
  const claims = await read(envelope, { keys: record.sealing, keyOf, device: record.device_id, verification });
  sawNumber(claims);
  return claims;
}
