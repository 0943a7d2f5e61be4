// Makes elements. Text is never taken for HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with these attributes and children; `onclick` and its like are listeners. */
export function make(name, attributes = {}, ...children) {
  return dress(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function draw(name, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, name), attributes, children);
}

/** The element of the page that has this id. */
export function part(id) {
  return document.getElementById(id);
}

/** Writes a text, if it is another one: screen readers and selections notice every change. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Puts these children in place of the present ones. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child != null));
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}
