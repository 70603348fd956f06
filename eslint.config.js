import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['static/vendor/**', 'node_modules/**', '.venv/**'] },
  js.configs.recommended,
  {
    files: ['static/src/**/*.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: { ...globals.browser } },
  },
  {
    files: ['static/service-worker.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'script', globals: { ...globals.serviceworker } },
  },
  {
    files: ['tests/browser_core/**/*.js', 'eslint.config.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: { ...globals.node } },
  },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'no-irregular-whitespace': ['error', { skipTemplates: true, skipStrings: true }], // the ideographic space is text
      'prefer-const': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      // Text reaches the page as text nodes only; these are the ways it could become markup or code.
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Use textContent or a component.' },
        { property: 'outerHTML', message: 'Use textContent or a component.' },
        { property: 'insertAdjacentHTML', message: 'Use textContent or a component.' },
        { object: 'document', property: 'write', message: 'Use textContent or a component.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "Property[key.name='dangerouslySetInnerHTML']",
          message: 'Text reaches the page as text nodes only.',
        },
      ],
    },
  },
];
