// Follows a stream of server-sent events through lost connections.
//
// A browser reconnects by itself and says which event it has (`Last-Event-ID`). It gives up when
// it is answered with an error, by a service that starts, say. Then this begins again after the
// last event.

const TYPES = ["GameStarted", "MoveMade", "GameFinished"];
/** Milliseconds until the next attempt, and more at random, so that not all come at once. */
const PAUSE = 1500;
const SPREAD = 1000;

/**
 * Follows the stream at this path. `onEvent` gets each event; `onState` gets `true` when the
 * stream is connected and `false` when it is lost. With `rests`, it is closed while nobody sees the
 * page: browsers keep few connections to a service. Returns what stops it and what refreshes it.
 */
export function follow(path, { after = null, rests = false, onEvent, onState }) {
  let source = null;
  let timer = null;
  let last = after;
  let isStopped = false;

  function close() {
    clearTimeout(timer);
    source?.close();
  }

  function open() {
    close();
    const place = last === null ? "" : `?after=${encodeURIComponent(last)}`;
    const opened = new EventSource(path + place);
    source = opened;
    opened.onopen = () => onState(true);
    opened.onerror = () => {
      if (opened !== source || isStopped) return;
      onState(false);
      const hasGivenUp = opened.readyState === EventSource.CLOSED;
      if (hasGivenUp) timer = setTimeout(open, PAUSE + Math.random() * SPREAD);
    };
    for (const type of TYPES) {
      opened.addEventListener(type, (message) => {
        if (opened !== source) return;
        last = message.lastEventId;
        onEvent(JSON.parse(message.data));
      });
    }
  }

  /** Connects again: a device that slept or changed its network may not notice that it has to. */
  function refresh() {
    if (document.visibilityState === "visible") open();
    else if (rests) close();
  }

  function stop() {
    isStopped = true;
    close();
    window.removeEventListener("online", refresh);
    window.removeEventListener("pageshow", showAgain);
    document.removeEventListener("visibilitychange", refresh);
  }

  /** A page that the browser kept and shows again has lost its connection. */
  function showAgain(shown) {
    if (shown.persisted) refresh();
  }

  window.addEventListener("online", refresh);
  window.addEventListener("pageshow", showAgain);
  document.addEventListener("visibilitychange", refresh);
  open();
  return { stop, refresh };
}
