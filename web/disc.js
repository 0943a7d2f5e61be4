// How a disc looks. The two sides differ by colour and by what is on them: a ring on yellow, a
// cross on red.

import { draw } from "./dom.js";

export const COLOURS = ["yellow", "red"];

/** A disc of this side around a centre. */
export function disc(side, x = 50, y = 50, attributes = {}) {
  const { class: more = "", ...others } = attributes;
  const sign =
    side === 0
      ? draw("circle", { cx: x, cy: y, r: 22, class: "sign" })
      : draw("path", { d: `M${x - 17} ${y - 17}l34 34m0-34l-34 34`, class: "sign" });
  return draw(
    "g",
    { class: `disc ${COLOURS[side]} ${more}`, ...others },
    draw("circle", { cx: x, cy: y, r: 42 }),
    sign,
  );
}

/** A disc as a picture within a line of text. */
export function smallDisc(side) {
  return draw("svg", { viewBox: "0 0 100 100", class: "small", "aria-hidden": "true" }, disc(side));
}
