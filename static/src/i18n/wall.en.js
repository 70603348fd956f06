// Words of the wall page.
/** @type {Record<string, string>} */
export default {};
