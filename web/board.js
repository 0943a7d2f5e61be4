// The board as SVG. The discs lie behind its face, which has a hole for each of them.

import { COLUMNS, NOTHING, ROWS, discsIn } from "./fold.js";
import { COLOURS, disc } from "./disc.js";
import { draw } from "./dom.js";

const CELL = 100;

/** Draws games into this element. `onPoint` hears which event's disc is pointed at, or null. */
export function boardIn(place, onPoint) {
  const discs = draw("g");
  const marks = draw("g", { class: "marks" });
  const picture = draw(
    "svg",
    { viewBox: `0 0 ${COLUMNS.length * CELL} ${ROWS * CELL}`, role: "img" },
    draw("rect", { class: "back", width: "100%", height: "100%", rx: 28 }),
    discs,
    draw("path", { class: "face", d: face(), "fill-rule": "evenodd" }),
    marks,
  );
  place.prepend(picture);
  let shown = NOTHING;

  /** Shows a game; discs fall when it is one event later than the one before. */
  function show(game) {
    const falls = game.revision === shown.revision + 1 && shown !== NOTHING;
    shown = game;
    const there = new Map([...discs.children].map((drawn) => [drawn.dataset.revision, drawn]));
    for (const { side, column, row, revision } of game.discs) {
      if (there.delete(String(revision))) continue;
      const [x, y] = centre(column, row);
      const drawn = disc(side, x, y, { "data-revision": revision, class: falls ? "falls" : "" });
      drawn.style.setProperty("--height", `${-y - CELL / 2}px`);
      discs.append(drawn);
    }
    for (const drawn of there.values()) drawn.remove();
    const ring = (kind) => ({ column, row }) => {
      const [cx, cy] = centre(column, row);
      return draw("circle", { cx, cy, r: 44, class: kind });
    };
    const last = game.discs.slice(-1).map(ring("last"));
    marks.replaceChildren(...(game.line.length ? game.line.map(ring("won")) : last));
    picture.setAttribute("aria-label", inWords(game));
  }

  /** Points out the disc of this event, or none. */
  function point(revision) {
    for (const drawn of discs.children) {
      drawn.classList.toggle("pointed", drawn.dataset.revision === String(revision));
    }
  }

  /** The event whose disc is at this place of the screen. */
  function eventAt({ clientX, clientY }) {
    const box = picture.getBoundingClientRect();
    const column = COLUMNS[Math.floor(((clientX - box.left) / box.width) * COLUMNS.length)];
    const row = ROWS - Math.floor(((clientY - box.top) / box.height) * ROWS);
    return shown.discs.find((disc) => disc.column === column && disc.row === row)?.revision ?? null;
  }

  place.addEventListener("pointermove", (move) => onPoint(eventAt(move)));
  place.addEventListener("pointerleave", () => onPoint(null));
  return { show, point };
}

function centre(column, row) {
  return [(COLUMNS.indexOf(column) + 0.5) * CELL, (ROWS - row + 0.5) * CELL];
}

/** The face: a rounded rectangle, and a circle for each cell. */
function face() {
  const [width, height] = [COLUMNS.length * CELL, ROWS * CELL];
  let path = `M28 0H${width - 28}Q${width} 0 ${width} 28V${height - 28}Q${width} ${height} ${width - 28} ${height}H28Q0 ${height} 0 ${height - 28}V28Q0 0 28 0Z`;
  for (const column of COLUMNS) {
    for (let row = 1; row <= ROWS; row += 1) {
      const [x, y] = centre(column, row);
      path += `M${x - 40} ${y}a40 40 0 1 0 80 0a40 40 0 1 0-80 0Z`;
    }
  }
  return path;
}

function inWords(game) {
  const columns = COLUMNS.map((column) => {
    const discs = discsIn(game, column).map((disc) => COLOURS[disc.side]);
    return discs.length ? `${column}: ${discs.join(", ")}.` : "";
  });
  const words = columns.filter(Boolean).join(" ");
  return `The board, each column from the bottom up. ${words || "It is empty."}`;
}
