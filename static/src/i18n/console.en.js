// Words of the console page.
/** @type {Record<string, string>} */
export default {};
