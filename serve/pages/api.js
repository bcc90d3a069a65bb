// Calls of the server. A call that is answered by 401 waits until somebody has signed in and is
// then made again, so that a session that ended in the middle of an answer loses nothing.

export class ApiError extends Error {
  constructor(status, message, fields = {}) {
    super(message);
    this.status = status;  // 0: no answer at all
    this.param = fields.param || '';
    this.code = fields.code || '';
    this.retry_after = fields.retry_after || 0;  // seconds
  }

  // Whether the same call may well succeed later.
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

let sign_in = null;  // () => a promise that is kept once somebody has signed in

export function on_unauthorized(ask) {
  sign_in = ask;
}

function request(method, path, body, signal, type) {
  const options = { method, signal, credentials: 'same-origin', cache: 'no-store', headers: {} };
  if (body !== undefined) {
    options.headers['Content-Type'] = type;
    options.body = type === 'application/json' ? JSON.stringify(body) : body;
  }
  return fetch(path, options);
}

async function failure(response) {
  const retry_after = Number(response.headers.get('Retry-After')) || 0;
  try {
    const { error } = await response.json();
    return new ApiError(response.status, error.message, { ...error, retry_after });
  } catch (unreadable) {
    return new ApiError(response.status, `HTTP ${response.status}`, { retry_after });
  }
}

// The response of a call that succeeded. `ask`: whether to wait for a sign-in.
async function answer(method, path, body, { signal, type = 'application/json', ask = true } = {}) {
  for (;;) {
    let response;
    try {
      response = await request(method, path, body, signal, type);
    } catch (broken) {
      if (broken.name === 'AbortError') throw broken;
      throw new ApiError(0, broken.message);
    }
    if (response.ok) return response;
    if (response.status !== 401 || !ask || !sign_in) throw await failure(response);
    await sign_in();
  }
}

// What the server answers, as an object. Throws ApiError.
export async function api(method, path, body, options) {
  const response = await answer(method, path, body, options);
  if (response.status === 204) return {};
  try {
    return await response.json();
  } catch (broken) {
    throw new ApiError(0, broken.message);  // cut off in the middle
  }
}

export const get = (path, options) => api('GET', path, undefined, options);
export const post = (path, body = {}, options = {}) => api('POST', path, body, options);

// The text of a file that the server has.
export async function get_text(path) {
  return (await answer('GET', path)).text();
}

// Server-sent events of a POST as they come: yields {event, data}, the data already parsed.
export async function* events(path, body, signal) {
  const response = await answer('POST', path, body, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const found = parse_event(block);
      if (found) yield found;
    }
  }
}

function parse_event(block) {
  let event = 'message';
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith('event:')) event = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  return data.length ? { event, data: JSON.parse(data.join('\n')) } : null;
}

// An id that makes a call the same call when it is sent twice. crypto.randomUUID is there on
// secure pages only, which plain HTTP from another machine is not.
export function new_request_id() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [8, 12, 16, 20].reduceRight((id, at) => `${id.slice(0, at)}-${id.slice(at)}`, hex);
}
