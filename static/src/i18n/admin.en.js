// Words of the administration page.
/** @type {Record<string, string>} */
export default {
  'admin.title': 'Administration',
};
