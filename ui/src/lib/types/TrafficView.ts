export type TrafficView = { flows: number; bytesFrom: number; bytesTo: number; refused: number; shed: number };
