// This file runs before all others, so that errors in loading them are reported, too.
import { reportErrors } from "./lib/report";

reportErrors();
