// The columns to drop a disc into: a click, a tap, or a key.

import { COLUMNS, ROWS, discsIn } from "./fold.js";
import { make } from "./dom.js";
import { smallDisc } from "./disc.js";

/** Puts a button over each column of the board; `onDrop` hears the letter of the chosen one. */
export function columnsIn(place, onDrop) {
  const buttons = COLUMNS.map((column, index) =>
    make(
      "button",
      {
        type: "button",
        class: "column",
        "data-column": column,
        // One stop for the Tab key; the arrow keys go on from there.
        tabindex: index === 3 ? 0 : -1,
        onclick: () => onDrop(column),
      },
      make("span", { class: "letter", "aria-hidden": "true" }, column),
      make("span", { class: "ghost", "aria-hidden": "true" }),
    ),
  );
  buttons.forEach((button, index) => (button.style.gridColumn = index + 1));
  place.append(...buttons);

  place.addEventListener("keydown", (press) => {
    // A key that is held down is one press.
    if (press.repeat && ["Enter", " "].includes(press.key)) press.preventDefault();
    const from = buttons.indexOf(document.activeElement);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[press.key];
    const ends = { Home: 0, End: buttons.length - 1 }[press.key];
    if (from < 0 || (step === undefined && ends === undefined)) return;
    const to = ends ?? (from + step + buttons.length) % buttons.length;
    buttons[from].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
    press.preventDefault();
  });

  // Letters and digits count while the focus is on the board, or nowhere. Elsewhere they would
  // surprise people who speak to their computer, or who type.
  document.addEventListener("keydown", (press) => {
    const isElsewhere = document.activeElement !== document.body && !place.contains(document.activeElement);
    if (isElsewhere || press.ctrlKey || press.metaKey || press.altKey || press.repeat) return;
    const column = COLUMNS[press.key - 1] ?? COLUMNS.find((letter) => letter === press.key.toUpperCase());
    if (!column) return;
    const button = buttons[COLUMNS.indexOf(column)];
    for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
    button.focus();
    onDrop(column);
  });

  /** Says how full the columns are, and whose disc would fall: `side` is null for nobody's. */
  function show(game, side) {
    for (const button of buttons) {
      const { column } = button.dataset;
      const filled = discsIn(game, column).length;
      const state = filled === ROWS ? "full" : `${filled} of ${ROWS} filled`;
      button.setAttribute("aria-label", `Drop a disc into column ${column}, ${state}`);
      button.classList.toggle("full", filled === ROWS);
      const ghost = button.querySelector(".ghost");
      const wanted = side === null || filled === ROWS ? "" : String(side);
      if (ghost.dataset.side === wanted) continue;
      ghost.dataset.side = wanted;
      ghost.replaceChildren(...(wanted ? [smallDisc(side)] : []));
    }
  }

  return { show };
}
