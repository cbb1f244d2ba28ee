// 웹훅을 받아 서명을 확인 · Receive webhooks and check their signature. Node 18 or later, nothing to install.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const { WEBHOOK_SECRET, PORT = '9000' } = process.env; // whsec_…
const OLDEST = 5 * 60; // seconds

// The event, when the signature is ours and fresh; else it throws. `body` is the text as it came.
function verify(secret, headers, body) {
  const [id, sentAt] = [headers['webhook-id'], headers['webhook-timestamp']];
  if (!(Math.abs(Date.now() / 1000 - Number(sentAt)) <= OLDEST)) throw new Error('too old, or your clock is wrong');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const ours = createHmac('sha256', key).update(`${id}.${sentAt}.${body}`).digest();
  const theirs = String(headers['webhook-signature']).split(' ').map((one) => Buffer.from(one.replace(/^v1,/, ''), 'base64'));
  if (!theirs.some((one) => one.length === ours.length && timingSafeEqual(one, ours))) throw new Error('not signed by Ansim');
  return JSON.parse(body);
}

createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  try {
    const { type, data } = verify(WEBHOOK_SECRET, request.headers, Buffer.concat(pieces).toString());
    // 같은 소식이 두 번 올 수 있어요 · the same webhook-id may come twice: remember the ones you have seen
    console.log(type, data.id, data.reason);
    response.writeHead(204).end();
  } catch (why) {
    response.writeHead(400).end(why.message);
  }
}).listen(Number(PORT), '127.0.0.1');
