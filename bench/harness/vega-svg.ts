import { parse, resetSVGDefIds, type Spec, View } from 'vega';

/**
 * Draws a chart without a browser or a DOM. The same spec gives the same text: identifiers begin anew.
 * Specs place everything themselves, since widths that Vega would lay out by depend on the fonts of a machine.
 */
export async function renderSvg(spec: Spec): Promise<string> {
  resetSVGDefIds();
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
