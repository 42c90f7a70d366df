/**
 * Segments whose superblock or footer is damaged. No record is lost by that: MANIFEST knows what the superblock says, and
 * a scan finds what the footer lists. But it says that the disk alters what it keeps.
 */
export class StructureFaults {
  readonly #segments = new Set<number>();

  add(segment: number): void {
    this.#segments.add(segment);
  }

  /** Segments that are hit, not parts of them. */
  get count(): number {
    return this.#segments.size;
  }
}
