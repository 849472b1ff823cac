SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#explorer",
  deepLinking: true,
  persistAuthorization: false,
  showExtensions: true,
  validatorUrl: null,
});
