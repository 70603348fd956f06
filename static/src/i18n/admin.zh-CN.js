// Words of the administration page.
/** @type {Record<string, string>} */
export default {
  'admin.title': '系统管理',
};
