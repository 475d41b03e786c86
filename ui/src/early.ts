// This file runs before all others, so that errors while they are loaded are reported too.
import { reportErrors } from "./lib/report";

reportErrors();
