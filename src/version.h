/* version.h - which release this is, and of which specification. */
#ifndef MXCRUN_VERSION_H
#define MXCRUN_VERSION_H

#define OCI_VERSION_MIN "1.0.0"
#define OCI_VERSION_MAX "1.3.0"

/* Engines read the lines "NAME version X" and "spec: X". */
#define VERSION_TEXT "mxcrun version " PACKAGE_VERSION "\nspec: " OCI_VERSION_MAX "\n"

#endif
