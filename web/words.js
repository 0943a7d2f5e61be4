// Games and events in words.

import { COLOURS } from "./disc.js";
import { discsIn, winner } from "./fold.js";

/** Whose turn it is, or how the game ended. */
export function stateInWords(game) {
  if (!game.result) return `${game.players[game.next]}’s turn`;
  const side = winner(game);
  if (side === null) return "A tie";
  return game.resigned ? `${game.players[side]} won: ${game.resigned} resigned` : `${game.players[side]} won`;
}

/** What an event recorded; `game` is the game after it. */
export function eventInWords({ type, data }, game) {
  if (type === "GameStarted") return `${data.player_one} and ${data.player_two} started a game`;
  if (type === "GameFinished") return stateInWords(game);
  const { side, row } = discsIn(game, data.column).at(-1);
  return `${data.player} dropped ${COLOURS[side]} into ${data.column}, row ${row}`;
}
