// The map of the page: what is chosen underneath, the district's borders over it to see whether it lies right.
import { call } from '../../api.js';
import { t } from '../../i18n.js';
import { createMap } from '../../map/map.js';
import { Movers } from '../../telemetry.js';
import { html, useEffect, useRef, useState } from '../../ui/h.js';
import { readTheme } from '../../ui/theme.js';
import { ui } from '../state.js';

/** @import {Base} from '../../map/base-style.js' */
/** @import {LiveMap} from '../../map/map.js' */

/** @param {{base: Base, onTrouble: () => void}} props */
export function BaseMap({ base, onTrouble }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [map, setMap] = useState(/** @type {LiveMap | null} */ (null));
  const [zoom, setZoom] = useState(0);
  const [fault, setFault] = useState('');
  const { center, bounds } = ui.district;
  useEffect(() => {
    let gone = false;
    /** @type {LiveMap | null} */
    let mine = null;
    void createMap({ container: /** @type {HTMLElement} */ (box.current), center, bounds, theme: readTheme(), movers: new Movers() }).then(
      (made) => {
        if (gone) return made.gl.remove();
        mine = made;
        Object.assign(window, { yipingBaseMap: made.gl });
        made.onMoved(() => setZoom(made.gl.getZoom()));
        setMap(made);
        setZoom(made.gl.getZoom());
        void showAreas(made);
        return undefined;
      },
      (error) => setFault(String(error.message ?? error)), // no WebGL: all else works
    );
    return () => {
      gone = true;
      mine?.gl.remove();
    };
  }, []);
  useEffect(() => {
    if (!map) return;
    map.setTheme(readTheme());
    map.onBaseTrouble = onTrouble;
    map.setBase(base);
  });
  return html`<div class="map-holder" ref=${box} data-testid="base-map"></div>
    ${fault && html`<p class="refused map-fault" role="alert">${fault}</p>`}
    <div class="zoom"><button aria-label=${t('console.zoom.in')} onClick=${() => map?.zoomBy(1)}>＋</button><button aria-label=${t('console.zoom.out')} onClick=${() => map?.zoomBy(-1)}>－</button><button aria-label=${t('console.zoom.home')} title=${t('console.zoom.home')} onClick=${() => map?.fit(bounds)}>◎</button></div>
    <span class="thin at-zoom">${t('basemap.at_zoom', { z: zoom.toFixed(1) })}</span>`;
}

/** @param {LiveMap} map */
async function showAreas(map) {
  try {
    for (const tier of [1, 2, 3]) map.setAreas(tier, await call('GET', `/areas.geojson?tier=${tier}`));
  } catch (error) {
    console.warn('areas', error); // without them the map is a map still
  }
}
