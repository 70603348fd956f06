// Words of the field page.
/** @type {Record<string, string>} */
export default {};
