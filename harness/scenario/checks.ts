export type CheckName = string;
