// The API, to read and to try: Swagger UI with the document of this service.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const api = await (await fetch("/openapi.json")).json();

// Swagger UI fills examples in and sends them. That is right for what a request needs; a
// condition or a position that somebody else had would only make it fail.
const parameters = [api.components, ...Object.values(api.paths).flatMap(Object.values)]
  .flatMap((owner) => Object.values(owner.parameters ?? {}))
  .filter((parameter) => parameter.example !== undefined && !parameter.required);
for (const parameter of parameters) {
  parameter.description = `${parameter.description ?? ""} Example: \`${parameter.example}\``;
  delete parameter.example;
}

// With OpenAPI 3.1 it overlooks the parameters that all operations of a path share.
for (const path of Object.values(api.paths)) {
  const shared = path.parameters ?? [];
  delete path.parameters;
  for (const operation of Object.values(path)) {
    operation.parameters = [...shared, ...(operation.parameters ?? [])];
  }
}

globalThis.SwaggerUIBundle({
  spec: api,
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  // A service elsewhere would be asked to check the document.
  validatorUrl: null,
});
