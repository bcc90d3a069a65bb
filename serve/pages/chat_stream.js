// One answer as it is written: events of the server become tokens on the page, at most once a
// frame, and the page follows them only while its reader is at the end.
import { events } from './api.js';
import { message_of } from './dialogs.js';
import { t } from './i18n.js';
import { token_span } from './chat_tokens.js';

const near_end = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 60;

// Tokens that are parts of a character have no text of their own: their probability joins that of
// the token that completes it.
class Joiner {
  constructor() { this.log_prob = 0; }

  take(token) {
    const log_prob = this.log_prob + (token.log_prob ?? 0);
    if (token.text === '') {
      this.log_prob = log_prob;
      return null;
    }
    this.log_prob = 0;
    return { ...token, log_prob };
  }
}

// Sends `body` and writes what comes into `message` and its element `text`, which scrolls in `box`.
// on_named(ids) gets the ids that the server gave the user's message. Returns when the answer is
// whole; message.finish_reason says why it ended, message.error what went wrong.
export async function stream_answer(path, body, message, text, box, on_named, signal) {
  const joiner = new Joiner();
  const waiting = [];
  let frame = 0;
  let started = 0;
  const draw = () => {
    frame = 0;
    const follow = near_end(box);
    text.append(...waiting.splice(0).map(token_span));
    if (follow) box.scrollTop = box.scrollHeight;
  };
  try {
    for await (const { event, data } of events(path, body, signal)) {
      if (event === 'message') on_named(data);
      if (event === 'token') {
        started ||= performance.now();
        const token = joiner.take(data);
        if (!token) continue;
        message.tokens.push(token);
        message.content += token.text;
        waiting.push(token);
        frame ||= requestAnimationFrame(draw);
      }
      if (event === 'done') {
        message.id = data.id ?? message.id;  // nothing was kept of an empty answer
        message.finish_reason = data.finish_reason;
        const n = data.usage?.completion_tokens ?? message.tokens.length;
        const elapsed = (performance.now() - started) / 1000;
        if (n > 0 && elapsed > 0) {
          message.usage = { n, speed: (n / elapsed).toFixed(n / elapsed < 10 ? 1 : 0) };
        }
      }
      if (event === 'error') message.error = data.message ?? data.error?.message ?? '';
    }
    if (!message.finish_reason && message.error === undefined) message.error = t('cut_off');
  } catch (broken) {
    if (broken.name === 'AbortError') message.finish_reason = 'stopped';
    else message.error = broken.status === undefined ? t('cut_off') : message_of(broken);
  }
  cancelAnimationFrame(frame);
  draw();
}
