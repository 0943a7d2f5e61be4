// The stream of a game: its events as they are stored, first to last.

import { make } from "./dom.js";
import { smallDisc } from "./disc.js";

/** Text that may be broken after its commas. */
function breakable(text) {
  return text.split(/(?<=,)/).flatMap((part) => [part, make("wbr")]);
}

/**
 * Lists events in this element. `onShow` hears the revision that somebody wants to see the board
 * at; `onPoint` hears the one that is pointed at, or null.
 */
export function eventsIn(list, { onShow, onPoint }) {
  const rows = [];

  function add(event, game) {
    const { revision, type, data } = event;
    const side = type === "MoveMade" ? game.players.indexOf(data.player) : -1;
    const row = make(
      "li",
      {
        "data-revision": revision,
        onpointerenter: () => onPoint(revision),
        onpointerleave: () => onPoint(null),
      },
      make(
        "button",
        {
          type: "button",
          class: "revision",
          "aria-label": `Show the board at revision ${revision}`,
          onclick: () => onShow(revision),
        },
        String(revision),
      ),
      make(
        "details",
        {},
        make(
          "summary",
          {},
          make("span", { class: "type" }, side < 0 ? null : smallDisc(side), type),
          make("code", {}, ...breakable(JSON.stringify(data))),
        ),
        make(
          "dl",
          {},
          ...["id", "recorded_at", "metadata"].flatMap((name) => [
            make("dt", {}, name),
            make("dd", {}, make("code", {}, typeof event[name] === "string" ? event[name] : JSON.stringify(event[name]))),
          ]),
        ),
      ),
    );
    rows.push(row);
    list.append(row);
  }

  /** Lists events that are new, and marks those that the board of this revision is made of. */
  function show(events, game) {
    for (const event of events.slice(rows.length)) add(event, game);
    rows.forEach((row, revision) => {
      row.classList.toggle("later", revision > game.revision);
      row.classList.toggle("current", revision === game.revision);
      const button = row.firstElementChild;
      if (revision === game.revision) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    keepInView(rows[game.revision]);
  }

  /** Scrolls the list, but never the page. */
  function keepInView(row) {
    const [box, frame] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
    if (box.bottom > frame.bottom) list.scrollTop += box.bottom - frame.bottom;
    if (box.top < frame.top) list.scrollTop -= frame.top - box.top;
  }

  /** Points out this event, or none. */
  function point(revision) {
    rows.forEach((row, index) => row.classList.toggle("pointed", index === revision));
  }

  return { show, point };
}
