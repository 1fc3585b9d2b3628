# MXCRUN_ADD_FLAG(VARIABLE, FLAG)
# Append FLAG to VARIABLE if the compiler takes it without a warning.
AC_DEFUN([MXCRUN_ADD_FLAG], [
  AS_VAR_PUSHDEF([cache], [mxcrun_cv_flag_$2])
  AC_CACHE_CHECK([whether $CC accepts $2], [cache], [
    mxcrun_save_cflags=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]])],
                      [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    CFLAGS=$mxcrun_save_cflags
  ])
  AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([cache])
])

# MXCRUN_MISSING(NAME, DEBIAN PACKAGE)
# Note a missing requirement; MXCRUN_REPORT_MISSING lists all of them at once.
AC_DEFUN([MXCRUN_MISSING], [
  mxcrun_missing="$mxcrun_missing
  $1 (Debian: apt install $2)"
])

AC_DEFUN([MXCRUN_REPORT_MISSING], [
  AS_IF([test -n "$mxcrun_missing"], [AC_MSG_ERROR([these are missing:$mxcrun_missing])])
])

# MXCRUN_LIBRARY(PREFIX, MODULE, DEBIAN PACKAGE)
AC_DEFUN([MXCRUN_LIBRARY], [
  PKG_CHECK_MODULES([$1], [$2], [], [MXCRUN_MISSING([$2], [$3])])
])

# MXCRUN_LINK_IFELSE(FLAGS, LIBS, THEN, ELSE)
AC_DEFUN([MXCRUN_LINK_IFELSE], [
  mxcrun_save_cflags=$CFLAGS
  mxcrun_save_libs=$LIBS
  CFLAGS="$CFLAGS $1"
  LIBS="$2 $LIBS"
  AC_LINK_IFELSE([AC_LANG_SOURCE([[
    char seccomp_init(void); char cap_init(void);
    int main(void) { return seccomp_init() + cap_init(); }
  ]])], [mxcrun_linked=yes], [mxcrun_linked=no])
  CFLAGS=$mxcrun_save_cflags
  LIBS=$mxcrun_save_libs
  AS_IF([test $mxcrun_linked = yes], [$3], [$4])
])

# MXCRUN_MUSL_LINK_IFELSE(THEN, ELSE)
# Can a program be compiled by INIT_CC and linked to musl as static-pie, with archives that were made for another C
# library?
AC_DEFUN([MXCRUN_MUSL_LINK_IFELSE], [
  cat >conftest.c <<'END'
char seccomp_syscall_resolve_name_arch(void);
void *__memcpy_chk(void); int __fprintf_chk(void); int __snprintf_chk(void); int __sprintf_chk(void);
void *__memcpy_chk(void) { return 0; }
int __fprintf_chk(void) { return 0; }
int __snprintf_chk(void) { return 0; }
int __sprintf_chk(void) { return 0; }
int main(void) { return seccomp_syscall_resolve_name_arch(); }
END
  AS_IF([test -e "$MUSL_DIR/rcrt1.o" &&
         $INIT_CC -w -fno-builtin -fPIE -c -o conftest.$ac_objext conftest.c 2>&AS_MESSAGE_LOG_FD &&
         $CC -nostdlib -static-pie -o conftest$ac_exeext "$MUSL_DIR/rcrt1.o" "$MUSL_DIR/crti.o" conftest.$ac_objext \
           $MUSL_LIBS "$MUSL_DIR/libc.a" $LIBGCC "$MUSL_DIR/crtn.o" 2>&AS_MESSAGE_LOG_FD], [$1], [$2])
  rm -f conftest.c conftest.$ac_objext conftest$ac_exeext
])
