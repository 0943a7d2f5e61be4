// Says what happens, for people who do not see it: through a live region of the page.

import { part } from "./dom.js";

/** Has a screen reader say this. */
export function announce(words) {
  const region = part("announcements");
  // A line of its own, so that the same words twice are said twice.
  const line = document.createElement("p");
  line.textContent = words;
  region.append(line);
  while (region.children.length > 3) region.firstElementChild.remove();
}
