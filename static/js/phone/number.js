// Opens an envelope and believes it only when the server signed it for this phone, this verification, and now.

import { fromBase64url, text, utf8 } from "./bytes.js";
import { open } from "./hpke.js";
import { now } from "./proof.js";

const SKEW = 60; // seconds a server's clock may be ahead of ours

export class Untrusted extends Error {}

async function verified(jws, keyOf) {
  const [header, claims, signature, ...more] = jws.split(".");
  const said = JSON.parse(text(fromBase64url(header)));
  if (more.length || said.alg !== "ES256" || said.typ !== "ansim-number+jwt") throw new Untrusted("kind");
  const jwk = await keyOf(said.kid);
  if (!jwk) throw new Untrusted("key");
  const { kty, crv, x, y } = jwk;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  const signed = utf8(`${header}.${claims}`);
  if (!(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, fromBase64url(signature), signed))) throw new Untrusted("signature");
  return JSON.parse(text(fromBase64url(claims)));
}

// keys: the sealing pair; keyOf: kid -> JWK or undefined. Answers the claims; anything wrong is Untrusted.
export async function read(envelope, { keys, keyOf, device, verification }) {
  let claims;
  try {
    const info = utf8(`ansim/number/v1|${device}|${verification}`);
    const plain = await open(fromBase64url(envelope), keys, info);
    claims = await verified(text(plain).trimEnd(), keyOf);
  } catch (error) {
    throw error instanceof Untrusted ? error : new Untrusted("seal", { cause: error });
  }
  if (claims.aud !== device || claims.sub !== verification) throw new Untrusted("audience");
  if (!(claims.exp > now()) || claims.iat > now() + SKEW) throw new Untrusted("age");
  return claims;
}
