// The public API, and nothing else. Whoever listens hears of every request and of its answer.

/** Milliseconds until a request counts as lost. */
const PATIENCE = 10000;
/** Milliseconds between two attempts, the last one for all that follow. */
const PAUSES = [300, 1000, 2000, 4000];

const listeners = new Set();

/** Calls this with every exchange: its request, and then its answer or how it failed. */
export function onExchange(listener) {
  listeners.add(listener);
}

/** Starts a game. */
export function startGame(content, onRepeat) {
  return command("/games", content, {}, onRepeat);
}

/** Makes a move on the board of this revision: on another one, it would be another move. */
export function makeMove(id, player, column, revision, token, onRepeat) {
  const path = `/games/${id}/moves`;
  const headers = { "If-Match": `"${revision}"`, ...(token && { Authorization: `Bearer ${token}` }) };
  return command(path, { player, column }, headers, onRepeat);
}

/**
 * Asks until there is an answer. It has a `status`, `headers`, and a `body` or a `problem`.
 * `onRepeat` hears of each attempt that failed.
 */
export function ask(path, headers = {}, onRepeat) {
  return untilAnswered({ method: "GET", path, headers }, onRepeat);
}

/**
 * Sends a command until there is an answer that tells its outcome. It carries a key of its own:
 * whether the request was lost or its answer, the service carries it out once. The key is a secret,
 * because the service derives the tokens of a protected game from it.
 */
function command(path, content, headers, onRepeat) {
  const body = JSON.stringify(content);
  const key = { "Idempotency-Key": secret() };
  return untilAnswered({ method: "POST", path, headers: { ...headers, ...key }, body }, onRepeat);
}

async function untilAnswered(request, onRepeat = () => {}) {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await exchange(request);
    // Nothing was done, or nobody knows whether it was.
    if (answer && ![503, 504].includes(answer.status)) return answer;
    onRepeat(answer?.problem ?? null);
    const wanted = 1000 * Number(answer?.headers.get("Retry-After") ?? 0);
    const pause = Math.max(wanted, PAUSES[Math.min(attempt, PAUSES.length - 1)]);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Sends a request once; `null` when there is no answer. */
async function exchange(request) {
  tell({ request });
  try {
    const response = await fetch(request.path, {
      method: request.method,
      headers: {
        Accept: "application/json",
        ...(request.body && { "Content-Type": "application/json" }),
        ...request.headers,
      },
      body: request.body,
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    const { status, headers } = response;
    const content = read(await response.text());
    const answer = { status, headers };
    if (response.ok) answer.body = content;
    else answer.problem = content ?? { title: `Status ${status}`, detail: "" };
    tell({ request, answer });
    return answer;
  } catch (failure) {
    tell({ request, failure: failure.message });
    return null;
  }
}

/** A proxy in between may answer with anything. */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function tell(exchange) {
  for (const listener of listeners) listener(exchange);
}

/** 128 random bits. */
function secret() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
