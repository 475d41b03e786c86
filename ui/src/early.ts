// Runs before anything else, so that what breaks while the rest of the page is loaded is reported too.
import { reportErrors } from "./lib/report";

reportErrors();
