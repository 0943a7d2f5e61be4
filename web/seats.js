// Who plays at this browser: `one`, `two`, `both` on one screen, or nobody, who watches. It is
// remembered per game, with the tokens of a protected game. An invitation is a link that carries the
// seat and its token in its fragment, which browsers do not send to servers.

const SEATS = { one: [0], two: [1], both: [0, 1] };
const NAMES = ["one", "two"];

/** For a browser that refuses to remember anything: kept until the page is left. */
const held = {};

/** Takes the seat that the page's address invites to, and removes it and its token from the address. */
export function acceptInvitation(id) {
  const { play, ...tokens } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!SEATS[play]) return;
  takeSeat(id, play, tokens);
  history.replaceState(null, "", location.pathname + location.search);
}

/** The seat that was taken in this game: a name, or null for somebody who watches. */
export function seatIn(id) {
  const seat = kept(`seat in ${id}`);
  return SEATS[seat] ? seat : null;
}

/** Takes a seat in this game, or gets up from it, with null. Whether the browser remembers it. */
export function takeSeat(id, seat, tokens = {}) {
  for (const name of NAMES) if (tokens[name]) keep(`token of ${name} in ${id}`, tokens[name]);
  return keep(`seat in ${id}`, seat ?? "");
}

/** The token with which this side moves in a protected game, if this browser has it. */
export function tokenOf(id, side) {
  return kept(`token of ${NAMES[side]} in ${id}`);
}

/** The sides that a seat plays. */
export function sidesOf(seat) {
  return SEATS[seat] ?? [];
}

/** The address that seats somebody in the game. */
export function invitation(id, play, tokens = {}) {
  return `${location.origin}/games/${id}#${new URLSearchParams({ play, ...tokens })}`;
}

function keep(key, value) {
  held[key] = value;
  try {
    localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

function kept(key) {
  try {
    return localStorage.getItem(key) ?? held[key];
  } catch {
    return held[key];
  }
}
