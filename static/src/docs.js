// The API's description, drawn by Swagger UI from the server's own OpenAPI document.

/** @type {any} */ (globalThis).SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });
