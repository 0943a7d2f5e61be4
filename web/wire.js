// What went over the wire: the last request as the curl command that does the same, and its answer.

import { onExchange } from "./api.js";
import { fill, make, part, write } from "./dom.js";

/** The header fields of an answer that tell something about events. */
const FIELDS = {
  ETag: "the revision that the game is at now",
  "Event-Position": "where the event lies among those of all games",
  "Idempotent-Replayed": "the command had been carried out already; nothing was done twice",
  Location: "where the result is",
};

/** Shows each request that the page sends, in the parts of the page that are made for that. */
export function showWire() {
  onExchange(({ request, answer, failure }) => {
    write(part("curl"), curl(request));
    part("outcome").className = "";
    if (answer) showAnswer(answer);
    else fill(part("outcome"), failure ? make("p", {}, `No answer: ${failure}`) : make("p", {}, "Sent…"));
  });
  part("copy").addEventListener("click", () => copy(part("curl"), part("copy")));
}

/** Shows what the page listens to. */
export function showListening(path) {
  write(part("listening"), `curl -N -H 'Accept: text/event-stream' ${quoted(location.origin + path)}`);
}

function showAnswer({ status, headers, problem }) {
  const fields = Object.entries(FIELDS).filter(([name]) => headers.has(name));
  part("outcome").className = problem ? "refused" : "accepted";
  fill(
    part("outcome"),
    make("p", { class: "status" }, make("b", {}, String(status)), ` ${problem ? problem.title : "Done"}`),
    problem && make("p", {}, problem.detail),
    problem?.type && make("p", {}, make("a", { href: problem.type }, "What this problem means")),
    make(
      "dl",
      {},
      ...fields.flatMap(([name, meaning]) => [
        make("dt", {}, make("code", {}, `${name}: ${headers.get(name)}`)),
        make("dd", {}, meaning),
      ]),
    ),
  );
}

/** The request as a command for a shell. */
function curl({ method, path, headers, body }) {
  const lines = [`curl -i ${quoted(location.origin + path)}`];
  // A body makes it a POST, and both of its media types JSON.
  if (body) lines.push(`--json ${quoted(body)}`);
  else if (method !== "GET") lines.push(`-X ${method}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  return lines.join(" \\\n  ");
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** `navigator.clipboard` is only there over HTTPS and on this machine. */
function copy(element, button) {
  getSelection().selectAllChildren(element);
  const isCopied = document.execCommand("copy");
  write(button, isCopied ? "Copied" : "Selected: copy it with your keys");
  setTimeout(() => write(button, "Copy"), 2000);
}
