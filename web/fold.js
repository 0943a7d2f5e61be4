// A game is the fold of its events. This is the service's `evolve`, once more: the page gets
// events and nothing else, and makes its board of them.

export const COLUMNS = ["A", "B", "C", "D", "E", "F", "G"];
export const ROWS = 6;

/** The game before its first event. */
export const NOTHING = {
  revision: -1,
  players: ["", ""],
  discs: [],
  next: null,
  result: null,
  resigned: null,
  line: [],
};

/** The game after one more event. Records what happened and never judges: the service did. */
export function evolve(game, event) {
  const after = { ...game, revision: event.revision };
  const { data } = event;
  switch (event.type) {
    case "GameStarted":
      return { ...after, players: [data.player_one, data.player_two], next: 0 };
    case "MoveMade": {
      const side = game.players.indexOf(data.player);
      const row = discsIn(game, data.column).length + 1;
      const disc = { side, column: data.column, row, revision: event.revision };
      return { ...after, discs: [...game.discs, disc], next: 1 - side };
    }
    case "GameFinished":
      return {
        ...after,
        next: null,
        result: data.result,
        resigned: event.metadata?.reason === "resignation" ? event.metadata.player : null,
        line: game.discs.filter((disc) => isInLine(game, disc)),
      };
    default:
      return after;
  }
}

/** The game after these events. */
export function fold(events) {
  return events.reduce(evolve, NOTHING);
}

/** The discs of a column, from the bottom up. */
export function discsIn(game, column) {
  return game.discs.filter((disc) => disc.column === column);
}

/** The side that won: 0, 1, or null. */
export function winner(game) {
  const side = ["PLAYER_ONE_WON", "PLAYER_TWO_WON"].indexOf(game.result);
  return side < 0 ? null : side;
}

/** Whether a disc is one of four or more of its colour in a row. */
function isInLine(game, disc) {
  const across = COLUMNS.indexOf(disc.column);
  const isOurs = (distance, [right, up]) =>
    game.discs.some(
      (other) =>
        other.side === disc.side &&
        other.column === COLUMNS[across + distance * right] &&
        other.row === disc.row + distance * up,
    );
  const reach = (step, way) => {
    let distance = 0;
    while (isOurs((distance + 1) * way, step)) distance += 1;
    return distance;
  };
  const directions = [[0, 1], [1, 0], [1, 1], [1, -1]];
  return directions.some((step) => reach(step, 1) + reach(step, -1) >= 3);
}
