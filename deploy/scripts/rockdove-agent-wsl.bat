@echo off
rem Runs the Linux agent in WSL 2, in the background of Windows:
rem
rem   rockdove-agent-wsl.bat start ^| stop ^| restart ^| status ^| log ^| autostart ^| no-autostart
rem
rem First, in a terminal of Windows: wsl --install -d Ubuntu. Then in Ubuntu: unpack the tarball into ~/rockdove,
rem and ~/rockdove/bin/rockdove join -
rem
rem From the environment: ROCKDOVE_WSL_DISTRO, another distribution than the default one; ROCKDOVE_WSL_SCRIPT,
rem where its rockdove-agent.sh is: ~/rockdove/scripts/rockdove-agent.sh
rem
rem A minimised window holds the agent: WSL ends a distribution in which no program of Windows has a hand.
setlocal EnableExtensions
where wsl.exe >nul 2>nul
if errorlevel 1 (
  echo WSL is not installed. As administrator: wsl --install -d Ubuntu 1>&2
  exit /b 1
)
set "WSL=wsl.exe"
if defined ROCKDOVE_WSL_DISTRO set "WSL=wsl.exe -d %ROCKDOVE_WSL_DISTRO%"
set "SCRIPT=~/rockdove/scripts/rockdove-agent.sh"
if defined ROCKDOVE_WSL_SCRIPT set "SCRIPT=%ROCKDOVE_WSL_SCRIPT%"

if /i "%~1"=="start" goto start
if /i "%~1"=="stop" goto pass_on
if /i "%~1"=="restart" goto restart
if /i "%~1"=="status" goto pass_on
if /i "%~1"=="log" goto log
if /i "%~1"=="autostart" goto autostart
if /i "%~1"=="no-autostart" goto no_autostart
echo usage: %~nx0 start ^| stop ^| restart ^| status ^| log ^| autostart ^| no-autostart 1>&2
exit /b 2

:pass_on
%WSL% -- sh -c "%SCRIPT% %~1"
exit /b

:start
%WSL% -- sh -c "test -x %SCRIPT%"
if errorlevel 1 (
  echo There is no %SCRIPT% in WSL: unpack the tarball there, or set ROCKDOVE_WSL_SCRIPT. 1>&2
  exit /b 1
)
%WSL% -- sh -c "%SCRIPT% status >/dev/null"
if not errorlevel 1 (
  echo The agent is running already. 1>&2
  exit /b 1
)
start "rockdove agent" /min %WSL% -- sh -c "exec %SCRIPT% run"
ping -n 4 127.0.0.1 >nul
%WSL% -- sh -c "%SCRIPT% status"
exit /b

:restart
%WSL% -- sh -c "%SCRIPT% stop"
goto start

:log
%WSL% -- sh -c "%SCRIPT% log -f"
exit /b

:autostart
schtasks /create /f /sc onlogon /tn "rockdove agent in WSL" /tr "\"%~f0\" start"
exit /b

:no_autostart
schtasks /delete /f /tn "rockdove agent in WSL"
exit /b
