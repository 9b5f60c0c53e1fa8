/** Seeds are printed and read as hex. */
export const seedText = (seed: number): string => seed.toString(16).padStart(6, '0');
