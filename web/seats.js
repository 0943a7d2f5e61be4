// Who plays at this browser: `one`, `two`, `both` on one screen, or nobody, who watches. It is
// remembered per game, with the tokens of a protected game. An invitation is a link that carries the
// seat and its token in its fragment, which browsers do not send to servers.

const SEATS = { one: [0], two: [1], both: [0, 1] };
const NAMES = ["player_one", "player_two"];

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
  const seat = memory()[`seat in ${id}`];
  return SEATS[seat] ? seat : null;
}

/** Takes a seat in this game, or gets up from it, with null. Whether the browser remembers it. */
export function takeSeat(id, seat, tokens = {}) {
  // A wrong link does not replace a token that is there.
  for (const name of NAMES) if (tokens[name]) memory()[`${name} in ${id}`] ??= tokens[name];
  memory()[`seat in ${id}`] = seat ?? "";
  return memory() !== held;
}

/** The token with which this side moves in a protected game, if this browser has it. */
export function tokenOf(id, side) {
  return memory()[`${NAMES[side]} in ${id}`];
}

/** Forgets a token that the service refused. */
export function forgetToken(id, side) {
  delete memory()[`${NAMES[side]} in ${id}`];
}

/** The sides that a seat plays. */
export function sidesOf(seat) {
  return SEATS[seat] ?? [];
}

/** The address that seats somebody in the game, with the tokens of these sides. */
export function invitation(id, play, sides = sidesOf(play)) {
  const invited = new URLSearchParams({ play });
  for (const side of sides) if (tokenOf(id, side)) invited.set(NAMES[side], tokenOf(id, side));
  return `${location.origin}/games/${id}#${invited}`;
}

function memory() {
  try {
    return localStorage ?? held;
  } catch {
    return held;
  }
}
