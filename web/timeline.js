// Moves through the revisions of a game: a slider, single steps, play, and back to now.

import { part, write } from "./dom.js";

/** Milliseconds that each revision is shown for. */
const PACE = 800;

/** Runs the controls of the page. `onMove` hears the revision to show, or null for now. */
export function timeline(onMove) {
  const [slider, back, play, forward, now] = ["slider", "back", "play", "forward", "now"].map(part);
  let newest = 0;
  let shown = 0;
  let timer = null;

  slider.addEventListener("input", () => go(Number(slider.value)));
  back.addEventListener("click", () => go(shown - 1));
  forward.addEventListener("click", () => go(shown + 1));
  now.addEventListener("click", () => go(newest));
  play.addEventListener("click", () => {
    if (timer) return pause();
    // From the end there is nothing to play.
    move(shown === newest ? 0 : shown);
    timer = setInterval(() => {
      move(shown + 1);
      if (shown >= newest) pause();
    }, PACE);
    label();
  });

  /** Goes to a revision, which ends playing. */
  function go(revision) {
    pause();
    move(revision);
  }

  function move(revision) {
    onMove(revision >= newest ? null : Math.max(revision, 0));
  }

  function pause() {
    clearInterval(timer);
    timer = null;
    label();
  }

  function label() {
    write(play, timer ? "Pause" : "Play");
  }

  /** Shows where the board is in its history: `words` say it. */
  function show(revision, newestRevision, words) {
    [shown, newest] = [revision, newestRevision];
    slider.max = newest;
    slider.value = shown;
    slider.setAttribute("aria-valuetext", words);
    back.disabled = shown === 0;
    forward.disabled = now.disabled = shown === newest;
  }

  return { show, go };
}
