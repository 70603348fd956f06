// One door to Preact + htm, so that panels never name a vendored path.
export {
  html,
  render,
  useState,
  useEffect,
  useLayoutEffect,
  useRef,
  useMemo,
  useCallback,
  useErrorBoundary,
} from '../../vendor/htm-preact/standalone.mjs';
