import type { Driver, DriverName } from './driver.ts';
import { plainHttpDriver } from './plain-http.ts';
import { quasarDriver } from './quasar.ts';
import { s3Driver } from './s3.ts';

const drivers: Readonly<Record<DriverName, (base: string) => Driver>> = {
  quasar: quasarDriver,
  http: plainHttpDriver,
  s3: s3Driver,
  's3-signed': s3Driver,
};

/** `base` is the path in front of all others, without a slash at its end. */
export function chooseDriver(name: DriverName, base: string): Driver {
  return drivers[name](base);
}
