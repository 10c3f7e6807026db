#pragma once

// Nothing to call: a program linked with this allocates from one arena.
