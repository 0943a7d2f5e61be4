// Who plays at this browser: `one`, `two`, `both` on one screen, or nobody, who watches. It is
// remembered per game. An invitation is a link that carries the seat in its fragment, which
// browsers do not send to servers.

const SEATS = { one: [0], two: [1], both: [0, 1] };

/** Takes the seat that the page's address invites to, and removes it from the address. */
export function acceptInvitation(id) {
  const seat = new URLSearchParams(location.hash.slice(1)).get("play");
  if (!SEATS[seat]) return;
  takeSeat(id, seat);
  history.replaceState(null, "", location.pathname + location.search);
}

/** The seat that was taken in this game: a name, or null for somebody who watches. */
export function seatIn(id) {
  const seat = remembered(() => localStorage.getItem(key(id)));
  return SEATS[seat] ? seat : null;
}

/** Takes a seat in this game, or gets up from it, with null. */
export function takeSeat(id, seat) {
  remembered(() => (seat ? localStorage.setItem(key(id), seat) : localStorage.removeItem(key(id))));
}

/** The sides that a seat plays. */
export function sidesOf(seat) {
  return SEATS[seat] ?? [];
}

/** The address that seats somebody at this side of the game. */
export function invitation(id, side) {
  return `${location.origin}/games/${id}#play=${["one", "two"][side]}`;
}

function key(id) {
  return `seat in ${id}`;
}

/** A browser may refuse to remember anything. */
function remembered(access) {
  try {
    return access();
  } catch {
    return null;
  }
}
