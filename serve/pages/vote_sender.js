// A vote counts once the server has acknowledged it. Until then it is kept in the browser and sent
// again, always under the same id, so that neither a lost answer, a double click nor a closed tab
// loses or doubles it.
import { api } from './api.js';
import { recall, remember } from './i18n.js';

const pauses = [500, 1000, 2000, 4000, 8000];  // milliseconds

function kept() {
  try {
    return JSON.parse(recall('unsaved_votes')) || [];
  } catch (broken) {
    return [];
  }
}

function keep(votes) {
  remember('unsaved_votes', votes.length ? JSON.stringify(votes) : null);
}

const drop = (id) => keep(kept().filter(({ body }) => body.request_id !== id));

let go_on = null;

// Ends the pause before the next attempt.
export const try_now = () => go_on && go_on();
addEventListener('online', try_now);

function pause(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    go_on = () => { clearTimeout(timer); resolve(); };
  });
}

// Sends until it is acknowledged or refused for good. on_trouble(error, attempt) is called before
// each further attempt. Throws ApiError when it is refused.
async function send(body, on_trouble) {
  for (let attempt = 1; ; ++attempt) {
    try {
      const saved = await api('POST', '/api/votes', body);
      drop(body.request_id);
      return saved;
    } catch (error) {
      if (!error.passing) {
        drop(body.request_id);
        throw error;
      }
      on_trouble(error, attempt + 1);
      await pause(error.retry_after ? error.retry_after * 1000
        : pauses[Math.min(attempt, pauses.length) - 1]);
    }
  }
}

export function send_vote(person, body, on_trouble) {
  keep([...kept(), { person, body }]);
  return send(body, on_trouble);
}

// Votes of this person that an earlier visit could not save.
export async function send_kept_votes(person, on_trouble) {
  for (const vote of kept()) {
    if (vote.person !== person) continue;
    try {
      await send(vote.body, on_trouble);
    } catch (refused) {
      // Its lease ran out: the comparison comes again.
    }
  }
}
