// The panel beside the phone: what others saw, and what only this phone could read.

import { fill, one } from "./screens.js";

const panel = one("[data-inside]");
const pretty = (value) => JSON.stringify(value, null, 2);

const put = (slots) => fill(panel, slots);

export const sawPush = ({ provider, body }) => put({ provider, delivery: pretty(typeof body === "string" ? JSON.parse(body) : body) });
export const sawMessage = ({ to, from, text }) => put({ provider: "sms", delivery: pretty({ to, from, text }) });
export const sawProof = ({ header, claims }) => put({ proof: `${pretty(header)}\n${pretty(claims)}` });
export const sawEnvelope = (envelope) => put({ envelope, number: "" });
export const sawNumber = (claims) => put({ number: pretty(claims) });
